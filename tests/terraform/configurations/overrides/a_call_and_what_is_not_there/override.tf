module "m" {
  source = "./two"
}
resource "aws_thing" "nowhere" {
  name = "x"
}
