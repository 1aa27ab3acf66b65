variable "a" {
  type     = string
  default  = "from default"
  nullable = false
}
variable "b" {
  type    = string
  default = "from default"
}
resource "terraform_data" "r" {
  input = [var.a, var.b]
}
