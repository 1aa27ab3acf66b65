module "m" {
  source = "acme/m/aws"
}
resource "aws_thing" "c" {
  v = 1
}
