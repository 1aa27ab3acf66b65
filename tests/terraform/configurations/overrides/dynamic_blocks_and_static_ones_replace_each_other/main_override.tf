resource "aws_group" "a" {
  rule { port = 9 }
}
resource "aws_group" "b" {
  dynamic "rule" {
    for_each = [7]
    content { port = rule.value }
  }
}
