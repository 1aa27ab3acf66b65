module "m" {
  source = "../modules/m"
}
resource "aws_thing" "here" {
  module = path.module
  root   = path.root
  cwd    = path.cwd
}
