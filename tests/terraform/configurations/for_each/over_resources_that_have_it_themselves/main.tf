resource "terraform_data" "net" {
  for_each = { eu = "10.0.0.0/16", us = "10.1.0.0/16" }
  input    = each.value
}
resource "terraform_data" "subnet" {
  for_each = terraform_data.net
  input    = cidrsubnet(each.value.input, 8, 3)
}
resource "terraform_data" "r" {
  input = { for key, one in terraform_data.subnet : upper(key) => one.input }
}
