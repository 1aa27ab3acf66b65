resource "aws_instance" "build" {
  for_each = var.instances

  ami                         = data.aws_ami.al2023.id
  instance_type               = each.value.type
  associate_public_ip_address = var.environment == "sandbox"

  root_block_device {
    volume_size = each.value.volume
    encrypted   = true
  }

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_ebs_volume" "scratch" {
  availability_zone = "eu-central-1a"
  size              = 200
}
