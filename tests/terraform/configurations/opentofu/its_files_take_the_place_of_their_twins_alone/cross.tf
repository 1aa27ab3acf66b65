resource "aws_thing" "c" { v = "terraform" }
