module "it" {
  source = "../.."
  create = false
  acl    = "public-read"
}
