variable "given" {}
output "made" {
  value = var.given
}
output "fixed" {
  value = "fixed"
}
