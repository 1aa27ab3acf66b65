module "net" {
  for_each = {
    eu = { cidr = "10.0.0.0/16", subnets = 2 }
    us = { cidr = "10.1.0.0/16", subnets = 1 }
  }
  source  = "./net"
  cidr    = each.value.cidr
  subnets = each.value.subnets
  public  = each.key == "us"
}
module "extra" {
  count  = 2
  source = "./net"
  cidr   = "172.${16 + count.index}.0.0/16"
}
output "made" {
  value = {
    by_key  = { for key, one in module.net : key => one.cidrs }
    all     = flatten(values(module.net)[*].cidrs)
    first   = module.net["eu"].cidrs[0]
    counted = module.extra[*].cidrs
    one     = module.extra[1].cidrs[0]
    whole   = length(module.extra)
  }
}
