resource "aws_thing" "a" { v = "terraform" }
resource "aws_thing" "gone" {}
