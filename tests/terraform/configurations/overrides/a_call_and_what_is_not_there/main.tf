module "m" {
  source = "./one"
  name   = "main"
}
