provider "aws" {
  alias  = "west"
  region = "us-west-1"
}
module "m" {
  source     = "./m"
  providers  = { aws = aws.west, aws.other = aws }
  depends_on = [module.n]
}
module "n" {
  source = "./m"
}
