module "it" {
  source = "../../"
}
