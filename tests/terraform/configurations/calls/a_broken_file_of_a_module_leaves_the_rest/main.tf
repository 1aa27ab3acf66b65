module "m" {
  source = "./m"
}
resource "aws_s3_bucket" "b" {
  from_good = module.m.good
  from_bad  = module.m.bad
}
