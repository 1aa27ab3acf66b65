variable "v" { default = "default" }
variable "w" { default = "default" }
resource "aws_s3_bucket" "b" {
  v = var.v
  w = var.w
}
