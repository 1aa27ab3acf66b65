module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.0.0"
  cidr    = "10.0.0.0/16"
}
module "git" {
  source = "git@example.org:acme/x.git"
}
module "after" {
  source = "./after"
  vpc    = module.vpc.vpc_id
}
