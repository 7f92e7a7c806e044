drop table api_keys;
drop table organizations;
