module "m" {
  source = "./m"
  given  = local.made
}
locals {
  made = module.m.made
}
resource "aws_s3_bucket" "b" {
  bad  = local.made
  good = module.m.fixed
}
