module "up" {
  source = "../../../.."
}
module "absolute" {
  source = "/etc"
}
module "missing" {
  source = "./missing"
}
module "none" {
  name = "x"
}
module "number" {
  source = 5
}
module "through" {
  source = "./x/../../../etc"
}
resource "aws_thing" "t" {
  v     = module.up.v
  w     = module.none.v
  x     = module.nowhere.v
  fixed = 1
}
