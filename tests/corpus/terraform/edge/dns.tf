locals {
  records = {
    ""     = ["192.0.2.10", "192.0.2.11"]
    "www"  = ["192.0.2.10"]
    "mail" = ["192.0.2.25"]
  }
}

resource "aws_route53_record" "a" {
  for_each = local.records

  zone_id = "Z0123456789"
  name    = each.key == "" ? "shop.example" : "${each.key}.shop.example"
  type    = "A"
  ttl     = 300
  records = sort(each.value)
}
