output "label" { value = "labelled" }
