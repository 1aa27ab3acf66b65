variable "name" {}
variable "acl" {}
resource "aws_s3_bucket" "b" {
  count  = 1
  bucket = var.name
  acl    = var.acl
}
