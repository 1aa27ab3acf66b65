resource "random_password" "db" {
  length  = 32
  special = false
}

resource "aws_db_subnet_group" "this" {
  name       = "orders"
  subnet_ids = var.subnet_ids
}

resource "aws_db_instance" "orders" {
  identifier                      = "orders-${terraform.workspace}"
  engine                          = "postgres"
  engine_version                  = "16.4"
  instance_class                  = var.instance_class
  allocated_storage               = 100
  max_allocated_storage           = 500
  db_subnet_group_name            = aws_db_subnet_group.this.name
  username                        = "orders"
  password                        = random_password.db.result
  storage_encrypted               = true
  kms_key_id                      = aws_kms_key.data.arn
  multi_az                        = var.production
  backup_retention_period         = var.production ? 30 : 1
  deletion_protection             = var.production
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  skip_final_snapshot             = !var.production
}

resource "aws_db_instance" "replica" {
  count               = var.production ? 1 : 0
  identifier          = "orders-replica"
  replicate_source_db = aws_db_instance.orders.identifier
  instance_class      = var.instance_class
}
