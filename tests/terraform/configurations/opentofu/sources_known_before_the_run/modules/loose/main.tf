resource "aws_thing" "loose" {}
