variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "database_encrypted" {
  description = "Encrypt the orders database at rest"
  type        = bool
  default     = false
}

variable "office_network" {
  description = "Where administrators come from"
  type        = string
}

variable "backup_days" {
  type    = number
  default = 14
}

locals {
  name = "shop"
  tags = {
    owner       = "team-checkout"
    environment = "production"
  }
}
