variable "environment" {
  type    = string
  default = "staging"
}

variable "queues" {
  type    = set(string)
  default = ["mail", "images"]
}

variable "instances" {
  type = map(object({
    type   = string
    volume = number
  }))
  default = {
    a = { type = "t4g.small", volume = 20 }
    b = { type = "t4g.large", volume = 80 }
  }
}
