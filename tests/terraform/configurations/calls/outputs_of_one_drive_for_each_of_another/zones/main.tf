variable "names" { type = list(string) }
output "by_name" {
  value = { for at, name in var.names : name => { size = at } }
}
output "names" { value = var.names }
