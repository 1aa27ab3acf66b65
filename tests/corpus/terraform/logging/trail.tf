resource "aws_cloudtrail" "organisation" {
  name                          = "organisation"
  s3_bucket_name                = "acme-trail"
  is_organization_trail         = true
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  kms_key_id                    = "arn:aws:kms:eu-central-1:123456789012:key/0123"

  event_selector {
    read_write_type           = "All"
    include_management_events = true

    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3"]
    }
  }
}

resource "aws_guardduty_detector" "this" {
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_cloudwatch_log_group" "applications" {
  for_each = { web = 365, worker = 90, debug = 7 }

  name              = "/app/${each.key}"
  retention_in_days = each.value
}
