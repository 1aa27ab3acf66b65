resource "aws_thing" "third" {
  v = values(module.net)[*].cidr
}
