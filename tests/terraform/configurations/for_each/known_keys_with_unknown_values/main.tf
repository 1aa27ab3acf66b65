variable "zone" {}
resource "aws_subnet" "s" {
  for_each = { a = var.zone, b = "fixed" }
  zone     = each.value
  name     = each.key
}
output "names" {
  value = [for key, one in aws_subnet.s : "${key}=${one.name}"]
}
