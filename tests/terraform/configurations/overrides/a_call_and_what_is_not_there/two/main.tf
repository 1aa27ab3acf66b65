variable "name" {}
resource "aws_thing" "two" { name = var.name }
