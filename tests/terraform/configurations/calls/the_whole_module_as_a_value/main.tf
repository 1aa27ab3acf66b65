module "m" {
  source = "./m"
}
module "n" {
  source = "./n"
  all    = module.m
}
locals {
  m = module.m
}
resource "terraform_data" "r" {
  input = [local.m.name, { for key, value in module.m : key => value }]
}
