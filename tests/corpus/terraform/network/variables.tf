variable "name" {
  description = "Prefix of everything in this network"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,20}$", var.name))
    error_message = "Use 3 to 21 lower-case letters, digits and hyphens."
  }
}

variable "cidr" {
  type    = string
  default = "10.20.0.0/16"
}

variable "zones" {
  type    = list(string)
  default = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
}

variable "single_nat_gateway" {
  type    = bool
  default = false
}

variable "peers" {
  description = "Networks that may connect"
  type = map(object({
    cidr  = string
    ports = optional(list(number), [443])
  }))
  default = {}
}
