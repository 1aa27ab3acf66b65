variable "v" {
  type    = string
  default = "main"
}
locals {
  kept    = "main"
  changed = "main"
}
output "o" { value = local.changed }
resource "aws_instance" "i" {
  kept    = "main"
  changed = var.v
  twice   = "main"
  disk {
    size      = 1
    encrypted = true
  }
  disk {
    size = 2
  }
  net {
    public = false
  }
  lifecycle {
    prevent_destroy = true
  }
}
