variable "name" {}
variable "acl" { default = "private" }
resource "aws_s3_bucket" "b" {
  bucket = "x-${var.name}"
  acl    = var.acl
}
output "name" { value = aws_s3_bucket.b.bucket }
output "acl" { value = aws_s3_bucket.b.acl }
