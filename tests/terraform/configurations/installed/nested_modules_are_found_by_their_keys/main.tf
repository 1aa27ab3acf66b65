module "net" {
  source  = "acme/net/aws"
  version = "~> 3.0"
}
module "sub" {
  source  = "acme/net/aws//modules/parts"
  version = "~> 3.0"
  open    = false
}
resource "aws_thing" "t" {
  made  = module.net.made
  label = module.net.label
}
