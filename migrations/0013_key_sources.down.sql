alter table api_keys drop column allowed_sources;
