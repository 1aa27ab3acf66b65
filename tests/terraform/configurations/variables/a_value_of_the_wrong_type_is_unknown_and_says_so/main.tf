variable "subnets" {
  type    = list(string)
  default = "10.0.0.0/24"
}
variable "size" {
  type    = number
  default = "large"
}
variable "service" {
  type = object({ name = string, port = number })
  default = { name = "web" }
}
resource "aws_instance" "i" {
  subnets = var.subnets
  size    = var.size
  name    = var.service.name
  other   = "x"
}
