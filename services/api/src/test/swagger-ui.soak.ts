import t from 'tap'
import { placeInSwaggerUi } from './swagger-ui.ts'

t.test('the Swagger UI of the whole document places the untouched example three times, as three orders', (t) =>
  placeInSwaggerUi(t),
)
