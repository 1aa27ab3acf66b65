module "m" {
  source = "acme/m/aws"
}
resource "aws_thing" "b" {
  v = 1
}
