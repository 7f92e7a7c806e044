drop function refuse_shortages(json);
