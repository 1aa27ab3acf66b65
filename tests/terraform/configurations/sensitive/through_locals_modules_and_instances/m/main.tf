variable "given" {}
output "hidden" {
  sensitive = true
  value     = "of the module"
}
output "shown" { value = "shown" }
resource "aws_thing" "inner" {
  v = var.given
}
