variable "all" {
  type = object({ name = string, ports = list(number) })
}
resource "terraform_data" "n" {
  input = [for port in var.all.ports : "${var.all.name}:${port}"]
}
