variable "region" {}
resource "aws_s3_bucket" "b" {
  region = var.region
  acl    = "public-read"
}
output "fixed" { value = "x" }
