name = "acme-main"
peers = {
  office = { cidr = "203.0.113.0/24" }
}
