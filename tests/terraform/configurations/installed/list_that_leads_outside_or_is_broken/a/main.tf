module "m" {
  source = "acme/m/aws"
}
resource "aws_thing" "a" {
  v = module.m.v
}
