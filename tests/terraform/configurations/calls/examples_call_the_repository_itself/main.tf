variable "create" { default = true }
variable "acl" { default = "private" }
resource "aws_s3_bucket" "this" {
  count = var.create ? 1 : 0
  acl   = var.acl
}
