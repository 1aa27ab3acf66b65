variable "region" {
  type = string
}
locals {
  zone = "${var.region}a"
}
resource "aws_instance" "i" {
  region = var.region
  zone   = local.zone
  fixed  = "x"
  list   = ["a", var.region]
}
