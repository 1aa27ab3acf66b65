resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group" "peers" {
  name_prefix = "${var.name}-peers-"
  vpc_id      = aws_vpc.this.id

  dynamic "ingress" {
    for_each = flatten([
      for name, peer in var.peers : [
        for port in peer.ports : { name = name, cidr = peer.cidr, port = port }
      ]
    ])
    iterator = rule
    content {
      description = rule.value.name
      from_port   = rule.value.port
      to_port     = rule.value.port
      protocol    = "tcp"
      cidr_blocks = [rule.value.cidr]
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "bastion" {
  name   = "${var.name}-bastion"
  vpc_id = aws_vpc.this.id

  ingress {
    description = "SSH from anywhere, until the VPN is there"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
