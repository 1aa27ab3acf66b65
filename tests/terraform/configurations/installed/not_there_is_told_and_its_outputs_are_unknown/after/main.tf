variable "vpc" {}
resource "aws_security_group" "g" {
  vpc_id = var.vpc
  name   = "fixed"
}
