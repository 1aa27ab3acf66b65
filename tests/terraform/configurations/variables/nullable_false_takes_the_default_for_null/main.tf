module "strict" {
  source = "./m"
  a      = null
  b      = null
}
