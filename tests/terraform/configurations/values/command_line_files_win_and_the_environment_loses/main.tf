variable "v" { default = "default" }
variable "w" { default = "default" }
variable "x" { default = "default" }
variable "list" {
  type    = list(number)
  default = []
}
resource "aws_s3_bucket" "b" {
  made = [var.v, var.w, var.x]
  list = var.list
}
