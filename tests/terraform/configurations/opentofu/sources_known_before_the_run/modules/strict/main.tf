resource "aws_thing" "strict" {}
