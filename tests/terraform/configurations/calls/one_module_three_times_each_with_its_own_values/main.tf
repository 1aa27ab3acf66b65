module "defaults" {
  source = "./bucket"
  name   = "defaults"
}
module "open" {
  source = "./bucket"
  name   = "open"
  acl    = "public-read"
}
module "named" {
  source = "./bucket"
  name   = module.open.name
  acl    = module.defaults.acl
}
