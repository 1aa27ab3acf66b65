variable "region" {}
module "m" {
  source = "./m"
  given  = var.region
  extra  = "nobody declares it"
}
