variable "name" {}
resource "aws_thing" "one" { name = var.name }
