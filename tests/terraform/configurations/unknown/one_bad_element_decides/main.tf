variable "more" { type = list(string) }
resource "aws_security_group" "concat" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = concat(["0.0.0.0/0"], var.more)
  }
}
resource "aws_security_group" "literal" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = [var.more[0], "0.0.0.0/0"]
  }
}
resource "aws_security_group" "perhaps" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = concat(["10.0.0.0/8"], var.more)
  }
}
resource "aws_security_group" "fine" {
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = var.more
  }
}
